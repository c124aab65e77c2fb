package android.view;

/** Compile-only: what the app uses of the real one. */
public class ContextThemeWrapper extends android.content.ContextWrapper {}
