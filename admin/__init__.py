"""The application's admin: settings, sign-in, views, and the kit they are built from."""
