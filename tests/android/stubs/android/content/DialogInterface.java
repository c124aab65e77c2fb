package android.content;

/** Compile-only: what the app uses of the real one. */
public interface DialogInterface {
    interface OnClickListener {
        void onClick(DialogInterface dialog, int which);
    }
}
