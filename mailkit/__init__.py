"""Mail for Twisted: servers, a store and the toolkit underneath them."""
