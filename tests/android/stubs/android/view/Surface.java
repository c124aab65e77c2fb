package android.view;

/** Compile-only: what the app uses of the real one. */
public class Surface {}
