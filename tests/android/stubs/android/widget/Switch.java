package android.widget;

/** Compile-only: what the app uses of the real one. */
public class Switch extends CompoundButton {
    public Switch(android.content.Context context) {
        super(context);
    }
}
