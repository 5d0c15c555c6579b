"""A season on a running venue: the same people, sending orders over lines of their own."""
