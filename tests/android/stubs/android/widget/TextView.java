package android.widget;

/** Compile-only: what the app uses of the real one. */
public class TextView extends android.view.View {
    public TextView(android.content.Context context) {
        super(context);
    }

    public CharSequence getText() {
        throw new UnsupportedOperationException("stub");
    }

    public final void setText(CharSequence text) {}
}
