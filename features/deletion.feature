Feature: Order deletion
  An order that came through the API can be deleted, once, and nothing else with it.

  @DEL-01
  Scenario: A deleted order is gone, and its neighbours stay
    Given any order
    Then it can be deleted, is gone, and no other order is

  @DEL-02
  Scenario: An order that does not exist can't be deleted
    Given any deletion of an order
    When no such order exists
    Then every deletion is refused with 404 and code 404-3

  @DEL-03
  Scenario: An order that did not come through the API can't be deleted
    Given the order that did not come through the API
    Then its deletion is refused with 4xx and it stays

  @DEL-04
  Scenario: A reconciled order can't be deleted
    Given any order that is reconciled
    Then its deletion is refused with 4xx, and it stays as it was sent

  @DEL-05
  Scenario: An order can't be deleted twice
    Given any order
    Then a second deletion is refused with 404 and code 404-3

  @DEL-06
  Scenario: Nothing of a deleted order comes back
    Given any order
    Then of a deleted one nothing shows, also when it is sent and deleted again

  @DEL-07
  Scenario: An order is accepted again after its deletion
    Given any order
    Then sent after its deletion it is accepted
