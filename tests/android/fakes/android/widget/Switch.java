package android.widget;

public class Switch extends CompoundButton {
    public Switch(android.content.Context context) {
        super(context);
    }

    @Override
    public void press() {
        if (enabled) {
            setChecked(!checked);
        }
    }
}
