package android.widget;

public abstract class CompoundButton extends Button {
    public boolean checked;

    public CompoundButton(android.content.Context context) {
        super(context);
    }

    public void setChecked(boolean checked) {
        this.checked = checked;
    }
}
