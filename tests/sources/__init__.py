"""Sources: records from files, over HTTP, and made up."""
