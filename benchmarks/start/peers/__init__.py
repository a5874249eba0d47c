"""The same job by other libraries, as their documentation does it; each runs in an environment of its own."""
