"""What is true of stock lists and lots. Pure: no I/O; every module is one noun."""
