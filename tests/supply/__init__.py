"""Where the parts come from: bill of materials, known vulnerabilities, secrets in the repository."""
