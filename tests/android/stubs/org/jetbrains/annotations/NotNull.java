package org.jetbrains.annotations;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** What Kotlin's compiler writes into a class file: it is never null. */
@Retention(RetentionPolicy.CLASS)
public @interface NotNull {}
