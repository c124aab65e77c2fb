package org.jetbrains.annotations;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** What Kotlin's compiler writes into a class file: it is perhaps null. */
@Retention(RetentionPolicy.CLASS)
public @interface Nullable {}
