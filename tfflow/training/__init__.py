"""What training needs beside Keras: losses, metrics, schedules, callbacks, recipes."""
