package android.widget;

/** Compile-only: what the app uses of the real one. */
public abstract class CompoundButton extends Button {
    public CompoundButton(android.content.Context context) {
        super(context);
    }

    public void setChecked(boolean checked) {}
}
