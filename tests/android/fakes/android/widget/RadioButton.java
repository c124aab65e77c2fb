package android.widget;

import java.util.List;

public class RadioButton extends CompoundButton {
    /** All of its group. */
    public List<RadioButton> group;

    public RadioButton(android.content.Context context) {
        super(context);
    }

    @Override
    public void press() {
        if (enabled) {
            for (RadioButton other : group) {
                other.setChecked(other == this);
            }
        }
        super.press();
    }
}
