package android.app;

import android.content.DialogInterface;
import java.util.Arrays;
import org.tfflow.fakes.Phone;

/** A list that waits until the test chooses. */
public class AlertDialog extends Dialog {
    private CharSequence[] items;
    private DialogInterface.OnClickListener listener;

    /** Chooses the item of this text, else the one that begins so. */
    public void choose(String start) {
        int exactly = Arrays.asList(items).indexOf(start);
        if (exactly >= 0) {
            listener.onClick(this, exactly);
            return;
        }
        for (int i = 0; i < items.length; i++) {
            if (items[i].toString().startsWith(start)) {
                listener.onClick(this, i);
                return;
            }
        }
        throw new AssertionError(start + " is not in " + Arrays.toString(items));
    }

    public String items() {
        return Arrays.toString(items);
    }

    public static class Builder {
        private final AlertDialog dialog = new AlertDialog();

        public Builder(android.content.Context context) {}

        public Builder setTitle(int title) {
            return this;
        }

        public Builder setItems(CharSequence[] items, DialogInterface.OnClickListener listener) {
            dialog.items = items;
            dialog.listener = listener;
            return this;
        }

        public AlertDialog show() {
            Phone.dialog = dialog;
            return dialog;
        }
    }
}
