package android.app;

/** Compile-only: what the app uses of the real one. */
public class Dialog implements android.content.DialogInterface {}
