"""Every read of a talk, by viewer: a company sees the talks it is a party to, and of the other side only the mask."""
