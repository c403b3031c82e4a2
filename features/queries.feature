Feature: Order query
  A query tells what was last accepted, to the cent, half an hour later at the latest, and changes nothing.

  @QRY-01
  Scenario Outline: An order with status <status> is found as it was sent
    Given any order with status <status>
    Then it is found as it was sent, to the cent

    Examples:
      | status                |
      | INVOICED              |
      | PAID_WAITING_DELIVERY |
      | CONCLUDED             |
      | CANCELED              |

  @QRY-02
  Scenario: An order that does not exist is not found
    Given any query for an order
    When no such order exists
    Then every query is refused with 404 and code 404-3

  @QRY-03
  Scenario: An update shows within 30 minutes
    Given any order
    Then after each update it shows the new state within 30 minutes

  @QRY-04
  Scenario: Asking changes nothing
    Given any order
    Then asked for again and again it stays as it was sent

  @QRY-05
  Scenario: Orders whose codes are alike are two
    Given any order
    Then one under a code that is nearly the same is another

  @QRY-05
  Scenario: An account id that 32 bits take for another is another
    Given any order
    Then under such an account id it is not found, changed or deleted

  @QRY-06
  Scenario: Fractions of a second are kept
    Given any order
    Then its dates are shown with their fractions of a second
