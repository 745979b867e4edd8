"""a dozen generated pieces by two artists, published through the product's own front door."""
