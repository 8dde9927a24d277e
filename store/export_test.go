package store

// AddressForTest tells how an address was understood.
func AddressForTest(address string) (mode string, plain bool, err error) {
	o, mode, err := parseRedisURL(address)
	if err != nil {
		return "", false, err
	}
	for _, a := range o.Addrs {
		plain = plain || o.TLSConfig == nil && !loopback(a)
	}
	return mode, plain, nil
}
