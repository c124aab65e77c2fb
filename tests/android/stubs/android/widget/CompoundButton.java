package android.widget;

/** Compile-only: what the app uses of the real one. */
public abstract class CompoundButton extends Button {
    public interface OnCheckedChangeListener {
        void onCheckedChanged(CompoundButton button, boolean checked);
    }

    public CompoundButton(android.content.Context context) {
        super(context);
    }

    public boolean isChecked() {
        throw new UnsupportedOperationException("stub");
    }

    public void setChecked(boolean checked) {}

    public void setOnCheckedChangeListener(OnCheckedChangeListener listener) {}
}
