package android.app;

/** Compile-only: what the app uses of the real one. */
public class AlertDialog extends Dialog {
    public static class Builder {
        public Builder(android.content.Context context) {}

        public Builder setTitle(int title) {
            throw new UnsupportedOperationException("stub");
        }

        public Builder setItems(
                CharSequence[] items, android.content.DialogInterface.OnClickListener listener) {
            throw new UnsupportedOperationException("stub");
        }

        public AlertDialog show() {
            throw new UnsupportedOperationException("stub");
        }
    }
}
