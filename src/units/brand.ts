declare const brand: unique symbol;

/** A value of type T that has passed a check named by B; it costs nothing at run time. */
export type Brand<T, B extends string> = T & { readonly [brand]: B };
