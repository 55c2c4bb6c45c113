"""From what the aliases say to what the store and the routes hold."""
