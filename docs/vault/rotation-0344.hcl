# `signaalwissel keys rotate 0344`: make the next match secret of municipality 0344, and destroy the old one at the end.
# It cannot use a secret, and has no right on any other key. `*` is also what follows: /rotate, /config, /trim.
path "signaalwissel/keys/0344-match-*" {
  capabilities = ["create", "read", "update"]
}
