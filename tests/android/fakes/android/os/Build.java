package android.os;

public class Build {
    // Not constants, which would be compiled in.
    public static final String MANUFACTURER = String.valueOf("a simulated");
    public static final String MODEL = String.valueOf("phone");

    public static final String HARDWARE = String.valueOf("");
    public static final String ID = String.valueOf("");
    public static final String SOC_MANUFACTURER = String.valueOf("");
    public static final String SOC_MODEL = String.valueOf("");

    public static class VERSION {
        public static final String RELEASE = String.valueOf("16");
        public static int SDK_INT; // the phone says
    }

    public static class VERSION_CODES {
        public static final int Q = 29;
        public static final int S = 31;
    }
}
