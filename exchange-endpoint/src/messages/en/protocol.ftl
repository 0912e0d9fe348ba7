### The protocol of an exchange.

protocol-records = { $n ->
    [one] { $n } record
   *[other] { $n } records
}
