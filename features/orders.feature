Feature: Order submission
  An order is accepted when its account, its extracts, its dates and its status are as documented, and refused with 400 when not.

  @ORD-01
  Scenario Outline: An order with status <status> and its dates is accepted
    Given any order with status <status>
    Then every submission is accepted with 200

    Examples:
      | status                |
      | INVOICED              |
      | PAID_WAITING_DELIVERY |
      | CONCLUDED             |
      | CANCELED              |

  @ORD-01
  Scenario: The order that Koncili's own page prints is accepted
    Given the order printed in S2, field for field
    Then it is accepted with 200 on every account

  @ORD-02
  Scenario: An order in another status is refused
    Given any order
    When its status is not one of the four
    Then every submission is refused with 400

  @ORD-03
  Scenario Outline: An order that waits for delivery needs its <date>
    Given any order with status PAID_WAITING_DELIVERY
    When its <date> is missing
    Then every submission is refused with 400

    Examples:
      | date                  |
      | sendDate              |
      | estimatedDeliveryDate |

  @ORD-04
  Scenario Outline: A concluded order needs its <date>
    Given any order with status CONCLUDED
    When its <date> is missing
    Then every submission is refused with 400

    Examples:
      | date                  |
      | sendDate              |
      | estimatedDeliveryDate |
      | deliveryDate          |

  @ORD-05
  Scenario: A canceled order needs its cancelDate
    Given any order with status CANCELED
    When its cancelDate is missing
    Then every submission is refused with 400

  @ORD-06
  Scenario: An invoiced order needs no further date
    Given any order with status INVOICED
    Then with further dates or without them it is accepted with 200

  @ORD-07
  Scenario Outline: An order is refused when its <earlier> is later than its <later>
    Given any order
    When its <earlier> is later than its <later>
    Then every submission is refused with 400 and code 400-3

    Examples:
      | earlier      | later                 |
      | createdDate  | approvedDate          |
      | approvedDate | sendDate              |
      | sendDate     | deliveryDate          |
      | sendDate     | estimatedDeliveryDate |
      | createdDate  | cancelDate            |

  @ORD-07
  Scenario: An order is refused when its createdDate is later than its sendDate, also where it has no approvedDate
    Given any order
    Then without an approvedDate a sendDate before its createdDate is refused with 400 and code 400-3

  @ORD-08
  Scenario Outline: A date that is none: an order is refused when <fault>
    Given any order
    When <fault>
    Then every submission is refused with 400

    Examples:
      | fault                                         |
      | one of its dates is malformed                 |
      | the expectedDate of one extract is malformed  |

  @ORD-09
  Scenario: An extract of another type is refused
    Given any order
    When the type of one extract is not one that orders take
    Then every submission is refused with 400

  @ORD-10
  Scenario Outline: A sign that contradicts the type: an order is refused when <fault>
    Given any order
    When <fault>
    Then every submission is refused with 400

    Examples:
      | fault                                                   |
      | the value of a SALE or RETURN_COMISSION is not positive |
      | the value of a COMISSION or RETURN_SALE is not negative |

  @ORD-11
  Scenario: An extract with another marketplaceCode is refused
    Given any order
    When the marketplaceCode of one extract is not the order's
    Then every submission is refused with 400

  @ORD-12
  Scenario Outline: Something missing: an order is refused when <fault>
    Given any order
    When <fault>
    Then every submission is refused with 400

    Examples:
      | fault                               |
      | its marketplaceCode is missing      |
      | its channelName is missing          |
      | its accountId is missing            |
      | the value of one extract is missing |

  @ORD-13
  Scenario Outline: Another JSON type: an order is refused when <fault>
    Given any order
    When <fault>
    Then every submission is refused with 400

    Examples:
      | fault                                             |
      | its marketplaceCode has another JSON type         |
      | its channelName has another JSON type             |
      | its accountId has another JSON type               |
      | its status has another JSON type                  |
      | its createdDate has another JSON type             |
      | its approvedDate has another JSON type            |
      | its sendDate has another JSON type                |
      | its estimatedDeliveryDate has another JSON type   |
      | its deliveryDate has another JSON type            |
      | its cancelDate has another JSON type              |
      | its totalGrossValue has another JSON type         |
      | its extracts has another JSON type                |
      | one extract is not an object                      |
      | the value of one extract has another JSON type    |
      | the percentage of one extract has another JSON type |

  @ORD-13
  Scenario: A number that is written as text is refused, or taken at its value, as the reading says
    Given any order
    When one of its numbers is written as text
    Then every submission is refused with 400, or taken at its value where the reading says so

  @ORD-14
  Scenario: A body that is no JSON object is refused
    Given any order
    When its body is not a JSON object
    Then every submission is refused with 400

  @ORD-15
  Scenario: A new submission replaces the order whole
    Given any order
    Then another submission of it leaves nothing of the first

  @ORD-16
  Scenario: A refused update leaves the order as it was
    Given any order
    Then an update that is refused leaves it as it was

  @ORD-16
  Scenario: A refused order is not stored
    Given any order
    Then a first submission that is refused is not to be found

  @ORD-17
  Scenario: The same order sent twice is one order
    Given any order
    Then sent twice it is found once, and gone after one deletion

  @ORD-18
  Scenario: An order without extracts is refused or accepted, as the reading says
    Given any order
    When it has no extracts
    Then every submission is answered as the reading says

  @ORD-19
  Scenario Outline: An order is accepted alike when written with <manner>
    Given any order
    Then written with <manner> it is accepted and found as when written plainly

    Examples:
      | manner                               |
      | no white space                       |
      | white space everywhere               |
      | its members in another order         |
      | raw UTF-8                            |
      | every character escaped              |
      | slashes escaped                      |
      | amounts without zeros at the end     |
      | amounts with exponents               |
      | amounts with exponents in lower case |
      | exponents where they are shorter     |
      | one or two digits of a second        |

  @ORD-20
  Scenario Outline: An order is taken alike when written with <manner>
    Given any order
    Then written with <manner> it is accepted and found as when written plainly

    Examples:
      | manner                                        |
      | six digits of a second                        |
      | seven digits of a second                      |
      | nine digits of a second                       |
      | the offset +00:00                             |
      | the offset -00:00                             |
      | offsets without a colon                       |
      | the offset +0000                              |
      | amounts with zeros at the end                 |
      | amounts with seventeen digits and an exponent |
      | a body in chunks                              |
      | a Content-Type that names its charset         |
      | header names in lower case                    |
      | header names in capitals                      |

  @ORD-21
  Scenario Outline: A date without an offset or a time of day: <call> is refused
    Given <call>
    When <fault>
    Then every call is refused with 400

    Examples:
      | call                       | fault                                            |
      | any submission of an order | one of its dates names no instant                |
      | any reconciliation         | one of its dates has no offset or no time of day |
      | any release                | one of its dates has no offset or no time of day |

  @ORD-22
  Scenario Outline: A body that is nearly JSON: <call> is refused
    Given <call>
    When <fault>
    Then every call is refused with 400

    Examples:
      | call                       | fault                              |
      | any submission of an order | its body is nearly JSON            |
      | any reconciliation         | its body goes on after the object  |
      | any release                | its body goes on after the object  |
