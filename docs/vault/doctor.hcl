# `signaalwissel doctor`: see which keys there are, and that one can be used.
path "signaalwissel/hmac/+" {
  capabilities = ["update"]
}
path "signaalwissel/keys/+" {
  capabilities = ["read"]
}
