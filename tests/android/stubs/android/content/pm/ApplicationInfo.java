package android.content.pm;

/** Compile-only: what LiteRT uses of the real one. */
public class ApplicationInfo {
    public String nativeLibraryDir;
}
