# Worker and sink: make and use every key, destroy none.
# `+` is one part of a path: keys/NAME, and not keys/NAME/config, /rotate or /trim.
path "signaalwissel/hmac/+" {
  capabilities = ["update"]
}
path "signaalwissel/keys/+" {
  capabilities = ["create", "read", "update"]
}
