"""What training needs besides Keras: losses, metrics, schedules, callbacks, recipes."""
