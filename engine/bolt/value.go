package bolt

import (
	"encoding/json"
	"errors"
	"fmt"
)

// valueVersion is the first byte of every value. A program that meets another
// version refuses the value instead of guessing.
const valueVersion = 1

var errNoValue = errors.New("the value is empty")

// encode writes a value: the version byte, then JSON.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append([]byte{valueVersion}, b...), nil
}

// decode reads what encode wrote. The result shares no memory with raw, which
// bbolt owns.
func decode[T any](raw []byte) (T, error) {
	var v T
	if len(raw) == 0 {
		return v, errNoValue
	}
	if raw[0] != valueVersion {
		return v, fmt.Errorf("value version %d is not known to this program", raw[0])
	}
	if err := json.Unmarshal(raw[1:], &v); err != nil {
		return v, fmt.Errorf("damaged value: %v", err)
	}
	return v, nil
}

// damaged names the value that could not be read.
func damaged(bucket, key []byte, err error) error {
	return fmt.Errorf("%s/%q: %w", bucket, key, err)
}
