# A reader of the routing topics of municipality 0344: open what was sealed there, by day.
# No identity, no match keys, no system key, no other municipality; nothing is made.
path "signaalwissel/hmac/0344-day-*" {
  capabilities = ["update"]
}
path "signaalwissel/keys/0344-day-*" {
  capabilities = ["read"]
}
