"""The Faust side: chunked, transactional transport, tables and agents around the rules."""
