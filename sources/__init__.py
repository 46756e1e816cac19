"""Where records come from: generated months, gateways and importers."""
