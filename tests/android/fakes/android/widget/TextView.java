package android.widget;

public class TextView extends android.view.View {
    private volatile String text = "";

    public TextView(android.content.Context context) {
        super(context);
    }

    public CharSequence getText() {
        return text;
    }

    public final void setText(CharSequence text) {
        this.text = String.valueOf(text);
    }
}
