"""The Helm chart: rendered, and held against Kubernetes, Pod Security and the product's own tables."""
