package android.net;

public abstract class Uri implements android.os.Parcelable {
    public abstract String getLastPathSegment();

    public static Uri parse(String text) {
        return new Uri() {
            @Override
            public String getLastPathSegment() {
                return text.substring(text.lastIndexOf('/') + 1);
            }

            @Override
            public String toString() {
                return text;
            }
        };
    }
}
