package android.widget;

/** Compile-only: what the app uses of the real one. */
public class Button extends TextView {
    public Button(android.content.Context context) {
        super(context);
    }
}
