package templates

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// decimal is what the filters calculate with and give: an exact number, so
// that a third of an amount, times three, is the amount.
type decimal struct{ exact *big.Rat }

// Bounds of calculation: a loop that multiplies must not grow without end.
const (
	mostPlaces   = 10 // decimals that are written
	keptPlaces   = 60 // decimals that are kept where a fraction grows long
	longFraction = 256
)

var mostAmount = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))

// String writes as many decimals as there are, at most ten, the last one
// rounded half up.
func (d decimal) String() string { return written(d.exact, mostPlaces) }

// written rounds to so many decimals and leaves zeros at the end out.
func written(n *big.Rat, places int) string {
	s := n.FloatString(places)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// decimalForm is a value to calculate with.
func decimalForm(value any) (*big.Rat, error) {
	digits := ""
	switch v := value.(type) {
	case decimal:
		return v.exact, nil
	case int:
		return new(big.Rat).SetInt64(int64(v)), nil
	case float64:
		digits = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		digits, _ = numeral(v)
	}
	if n, ok := new(big.Rat).SetString(digits); ok {
		return n, nil
	}
	return nil, &ValueError{Value: display(value)}
}

// numberOf lets a field's value through that can be calculated with.
func numberOf(value any, field string) (any, error) {
	_, err := decimalForm(value)
	if wrong, ok := errors.AsType[*ValueError](err); ok {
		wrong.Field = field
	}
	return value, err
}

// intForm is a value to count with; what follows its point is left out.
func intForm(value any) (int, error) {
	n, err := decimalForm(value)
	if err != nil {
		return 0, err
	}
	whole := new(big.Int).Quo(n.Num(), n.Denom())
	if !whole.IsInt64() || int64(int(whole.Int64())) != whole.Int64() {
		return 0, fmt.Errorf("%s is too large", whole)
	}
	return int(whole.Int64()), nil
}

// result keeps a calculated number within bounds.
func result(n *big.Rat) (any, error) {
	if new(big.Rat).Abs(n).Cmp(mostAmount) > 0 {
		return nil, fmt.Errorf("a number of more than 30 digits")
	}
	if n.Denom().BitLen() > longFraction {
		n, _ = new(big.Rat).SetString(n.FloatString(keptPlaces))
	}
	return decimal{n}, nil
}

// calculation is a filter that makes one number of two.
func calculation(of func(a, b *big.Rat) (*big.Rat, error)) func(a, b any) (any, error) {
	return func(a, b any) (any, error) {
		left, err := decimalForm(a)
		if err != nil {
			return nil, err
		}
		right, err := decimalForm(b)
		if err != nil {
			return nil, err
		}
		n, err := of(left, right)
		if err != nil {
			return nil, err
		}
		return result(n)
	}
}

func plus(a, b *big.Rat) (*big.Rat, error)  { return new(big.Rat).Add(a, b), nil }
func minus(a, b *big.Rat) (*big.Rat, error) { return new(big.Rat).Sub(a, b), nil }
func times(a, b *big.Rat) (*big.Rat, error) { return new(big.Rat).Mul(a, b), nil }

var errByZero = fmt.Errorf("divided by 0")

func dividedBy(a, b *big.Rat) (*big.Rat, error) {
	if b.Sign() == 0 {
		return nil, errByZero
	}
	return new(big.Rat).Quo(a, b), nil
}

// modulo is what is left of a whole number of b, with the sign of a.
func modulo(a, b *big.Rat) (*big.Rat, error) {
	q, err := dividedBy(a, b)
	if err != nil {
		return nil, err
	}
	whole := new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom()))
	return whole.Sub(a, whole.Mul(whole, b)), nil
}

// rounding is a filter that makes a number simpler.
func rounding(of func(n *big.Rat) *big.Rat) func(value any) (any, error) {
	return func(value any) (any, error) {
		n, err := decimalForm(value)
		if err != nil {
			return nil, err
		}
		return result(of(n))
	}
}

func absolute(n *big.Rat) *big.Rat { return new(big.Rat).Abs(n) }

// floor is the next whole number below, or n.
func floor(n *big.Rat) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Div(n.Num(), n.Denom())) // a denominator is positive
}

// ceil is the next whole number above, or n.
func ceil(n *big.Rat) *big.Rat {
	down := floor(new(big.Rat).Neg(n))
	return down.Neg(down)
}

// mostRounded is how many places round takes, before or behind the point.
const mostRounded = 24

// round rounds half up, away from zero, to so many decimals; to tens and
// hundreds where they are negative.
func round(value any, decimals func(any) any) (any, error) {
	n, err := decimalForm(value)
	if err != nil {
		return nil, err
	}
	places, err := intForm(decimals(0))
	if err != nil {
		return nil, err
	}
	if places > mostRounded || places < -mostRounded {
		return nil, fmt.Errorf("to %d digits; the most is %d", places, mostRounded)
	}
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(0, -places))), nil))
	rounded, _ := new(big.Rat).SetString(new(big.Rat).Quo(n, scale).FloatString(max(0, places)))
	return result(rounded.Mul(rounded, scale))
}
