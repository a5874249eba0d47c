"""What an installation weighs, how long it takes to install, and how long it takes to start."""
