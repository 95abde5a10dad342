"""Every read of listings, by who looks: stock lists (own only), lots (own or masked), the market."""
