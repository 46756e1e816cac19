# The run that destroys day keys whose retention is over. It cannot use a key.
path "signaalwissel/keys/+" {
  capabilities = ["create", "read", "update"]
}
path "signaalwissel/keys/+/rotate" {
  capabilities = ["update"]
}
path "signaalwissel/keys/+/config" {
  capabilities = ["update"]
}
path "signaalwissel/keys/+/trim" {
  capabilities = ["update"]
}
