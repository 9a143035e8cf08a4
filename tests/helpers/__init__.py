"""What several test modules share: worlds, servers that fail, and the like."""
