"""Where points live: locations, engines, the layout of a collection, and filters."""
