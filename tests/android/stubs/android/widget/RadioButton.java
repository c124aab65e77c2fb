package android.widget;

/** Compile-only: what the app uses of the real one. */
public class RadioButton extends CompoundButton {
    public RadioButton(android.content.Context context) {
        super(context);
    }
}
