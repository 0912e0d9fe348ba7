//! An address as fields: the free text, and of it or instead of it the parts of the tax service (АдрФИАС), ГАР object,
//! КЛАДР, ОКТМО.

/// The fields of a kind with addresses in the middle: `[fields before,] "prefix" … ; fields after`. Each address is
/// a field named as its prefix and one for each part.
macro_rules! fields_with_addresses {
    ([$($before:tt)*] $prefix:literal $($more:literal)*; $($after:tt)*) => {
        fields_with_addresses!([
            $($before)*
            Field::optional($prefix, Text(600)),
            Field::optional(concat!($prefix, "_postcode"), Text(10)),
            Field::optional(concat!($prefix, "_region"), Text(100)),
            Field::optional(concat!($prefix, "_district"), Text(100)),
            Field::optional(concat!($prefix, "_settlement"), Text(100)),
            Field::optional(concat!($prefix, "_place"), Text(100)),
            Field::optional(concat!($prefix, "_planning"), Text(100)),
            Field::optional(concat!($prefix, "_street"), Text(200)),
            Field::optional(concat!($prefix, "_house"), Text(40)),
            Field::optional(concat!($prefix, "_building"), Text(40)),
            Field::optional(concat!($prefix, "_room"), Text(40)),
            Field::optional(concat!($prefix, "_gar"), Text(40)),
            Field::optional(concat!($prefix, "_kladr"), Text(20)),
            Field::optional(concat!($prefix, "_oktmo"), Text(20)),
        ] $($more)*; $($after)*)
    };
    ([$($before:tt)*]; $($after:tt)*) => {
        &[$($before)* $($after)*]
    };
}
