"""What people ask of the store and of a config: why, who, what if. Nothing is kept, and no pass needs any of it."""
