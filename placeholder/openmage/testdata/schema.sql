-- The tables of an OpenMage (Magento 1) shop that placeholders touch or look
-- at, and no others, with the columns, keys and foreign keys that matter to
-- them. The ids differ from those of a fresh installation on purpose: whoever
-- assumes an id fails here. The names have a prefix for the same reason.
--
-- Two websites: base (EUR; store views default and de), second (USD; second).
SET FOREIGN_KEY_CHECKS=0;

CREATE TABLE om_eav_entity_type (
  entity_type_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_code varchar(50) NOT NULL,
  default_attribute_set_id smallint unsigned NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE om_eav_attribute_set (
  attribute_set_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL,
  attribute_set_name varchar(255) DEFAULT NULL
) ENGINE=InnoDB;
CREATE TABLE om_eav_attribute (
  attribute_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL,
  attribute_code varchar(255) NOT NULL,
  backend_type varchar(8) NOT NULL DEFAULT 'static',
  frontend_input varchar(50) DEFAULT NULL,
  UNIQUE KEY (entity_type_id, attribute_code)
) ENGINE=InnoDB;
CREATE TABLE om_eav_entity_attribute (
  entity_attribute_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL,
  attribute_set_id smallint unsigned NOT NULL,
  attribute_group_id smallint unsigned NOT NULL DEFAULT 0,
  attribute_id smallint unsigned NOT NULL,
  UNIQUE KEY (attribute_set_id, attribute_id)
) ENGINE=InnoDB;
CREATE TABLE om_core_website (
  website_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  code varchar(32) DEFAULT NULL UNIQUE,
  name varchar(64) DEFAULT NULL,
  sort_order smallint unsigned NOT NULL DEFAULT 0,
  default_group_id smallint unsigned NOT NULL DEFAULT 0,
  is_default smallint unsigned DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE om_core_store_group (
  group_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  website_id smallint unsigned NOT NULL,
  name varchar(255) NOT NULL,
  root_category_id int unsigned NOT NULL DEFAULT 0,
  default_store_id smallint unsigned NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE om_core_store (
  store_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  code varchar(32) DEFAULT NULL UNIQUE,
  website_id smallint unsigned NOT NULL,
  group_id smallint unsigned NOT NULL,
  name varchar(255) NOT NULL,
  sort_order smallint unsigned NOT NULL DEFAULT 0,
  is_active smallint unsigned NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE om_core_config_data (
  config_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  scope varchar(8) NOT NULL DEFAULT 'default',
  scope_id int NOT NULL DEFAULT 0,
  path varchar(255) NOT NULL DEFAULT 'general',
  value text,
  UNIQUE KEY (scope, scope_id, path)
) ENGINE=InnoDB;
CREATE TABLE om_tax_class (
  class_id smallint NOT NULL AUTO_INCREMENT PRIMARY KEY,
  class_name varchar(255) NOT NULL,
  class_type varchar(8) NOT NULL DEFAULT 'CUSTOMER'
) ENGINE=InnoDB;
CREATE TABLE om_customer_group (
  customer_group_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_group_code varchar(32) NOT NULL,
  tax_class_id int unsigned NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE om_catalog_category_entity (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  path varchar(255) NOT NULL
) ENGINE=InnoDB;
CREATE TABLE om_catalog_category_entity_varchar (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  attribute_id smallint unsigned NOT NULL,
  store_id smallint unsigned NOT NULL,
  entity_id int unsigned NOT NULL,
  value varchar(255) DEFAULT NULL
) ENGINE=InnoDB;
CREATE TABLE om_catalog_product_entity (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL DEFAULT 0,
  attribute_set_id smallint unsigned NOT NULL DEFAULT 0,
  type_id varchar(32) NOT NULL DEFAULT 'simple',
  sku varchar(64) DEFAULT NULL,
  has_options smallint NOT NULL DEFAULT 0,
  required_options smallint unsigned NOT NULL DEFAULT 0,
  created_at timestamp NULL DEFAULT NULL,
  updated_at timestamp NULL DEFAULT NULL,
  KEY (sku),
  FOREIGN KEY (entity_type_id) REFERENCES om_eav_entity_type (entity_type_id) ON DELETE CASCADE,
  FOREIGN KEY (attribute_set_id) REFERENCES om_eav_attribute_set (attribute_set_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_catalog_product_entity_int (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id int unsigned NOT NULL DEFAULT 0,
  attribute_id smallint unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  entity_id int unsigned NOT NULL DEFAULT 0,
  value int DEFAULT NULL,
  UNIQUE KEY (entity_id, attribute_id, store_id),
  FOREIGN KEY (store_id) REFERENCES om_core_store (store_id) ON DELETE CASCADE,
  FOREIGN KEY (attribute_id) REFERENCES om_eav_attribute (attribute_id) ON DELETE CASCADE,
  FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_catalog_product_entity_decimal LIKE om_catalog_product_entity_int;
ALTER TABLE om_catalog_product_entity_decimal MODIFY value decimal(12,4) DEFAULT NULL,
  ADD FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE;
CREATE TABLE om_catalog_product_entity_varchar LIKE om_catalog_product_entity_int;
ALTER TABLE om_catalog_product_entity_varchar MODIFY value varchar(255) DEFAULT NULL,
  ADD FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE;
CREATE TABLE om_catalog_product_entity_datetime LIKE om_catalog_product_entity_int;
ALTER TABLE om_catalog_product_entity_datetime MODIFY value datetime DEFAULT NULL,
  ADD FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE;
CREATE TABLE om_catalog_product_entity_text (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id int unsigned NOT NULL DEFAULT 0,
  attribute_id smallint unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  entity_id int unsigned NOT NULL DEFAULT 0,
  value text,
  UNIQUE KEY (entity_id, attribute_id, store_id),
  FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_catalog_product_entity_tier_price (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id int unsigned NOT NULL,
  all_groups smallint unsigned NOT NULL DEFAULT 1,
  customer_group_id smallint unsigned NOT NULL DEFAULT 0,
  qty decimal(12,4) NOT NULL DEFAULT 1.0000,
  value decimal(12,4) NOT NULL DEFAULT 0.0000,
  website_id smallint unsigned NOT NULL,
  UNIQUE KEY (entity_id, all_groups, customer_group_id, qty, website_id),
  FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_catalog_product_entity_group_price (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id int unsigned NOT NULL,
  all_groups smallint unsigned NOT NULL DEFAULT 1,
  customer_group_id smallint unsigned NOT NULL DEFAULT 0,
  value decimal(12,4) NOT NULL DEFAULT 0.0000,
  website_id smallint unsigned NOT NULL,
  is_percent smallint unsigned NOT NULL DEFAULT 0,
  UNIQUE KEY (entity_id, all_groups, customer_group_id, website_id),
  FOREIGN KEY (entity_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_catalog_product_website (
  product_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  PRIMARY KEY (product_id, website_id),
  FOREIGN KEY (product_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE,
  FOREIGN KEY (website_id) REFERENCES om_core_website (website_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_catalog_category_product (
  category_id int unsigned NOT NULL,
  product_id int unsigned NOT NULL,
  position int NOT NULL DEFAULT 0,
  PRIMARY KEY (category_id, product_id),
  FOREIGN KEY (product_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_cataloginventory_stock (
  stock_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  stock_name varchar(255) DEFAULT NULL
) ENGINE=InnoDB;
CREATE TABLE om_cataloginventory_stock_item (
  item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id int unsigned NOT NULL DEFAULT 0,
  stock_id smallint unsigned NOT NULL DEFAULT 0,
  qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  min_qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  use_config_min_qty smallint unsigned NOT NULL DEFAULT 1,
  backorders smallint unsigned NOT NULL DEFAULT 0,
  use_config_backorders smallint unsigned NOT NULL DEFAULT 1,
  min_sale_qty decimal(12,4) NOT NULL DEFAULT 1.0000,
  use_config_min_sale_qty smallint unsigned NOT NULL DEFAULT 1,
  max_sale_qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  use_config_max_sale_qty smallint unsigned NOT NULL DEFAULT 1,
  is_in_stock smallint unsigned NOT NULL DEFAULT 0,
  manage_stock smallint unsigned NOT NULL DEFAULT 0,
  use_config_manage_stock smallint unsigned NOT NULL DEFAULT 1,
  UNIQUE KEY (product_id, stock_id),
  FOREIGN KEY (product_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_cataloginventory_stock_status (
  product_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  stock_id smallint unsigned NOT NULL,
  qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  stock_status smallint unsigned NOT NULL,
  PRIMARY KEY (product_id, website_id, stock_id),
  FOREIGN KEY (product_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_sales_flat_quote (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  updated_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  is_active smallint unsigned DEFAULT 1,
  items_count int unsigned DEFAULT 0,
  items_qty decimal(12,4) DEFAULT 0.0000,
  grand_total decimal(12,4) DEFAULT 0.0000,
  trigger_recollect smallint NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE om_sales_flat_quote_item (
  item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  quote_id int unsigned NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  updated_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  product_id int unsigned DEFAULT NULL,
  store_id smallint unsigned DEFAULT NULL,
  parent_item_id int unsigned DEFAULT NULL,
  sku varchar(255) DEFAULT NULL,
  name varchar(255) DEFAULT NULL,
  qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  price decimal(12,4) NOT NULL DEFAULT 0.0000,
  product_type varchar(255) DEFAULT NULL,
  KEY (quote_id),
  FOREIGN KEY (quote_id) REFERENCES om_sales_flat_quote (entity_id) ON DELETE CASCADE,
  FOREIGN KEY (product_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_sales_flat_order (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  state varchar(32) DEFAULT NULL,
  status varchar(32) DEFAULT NULL,
  quote_id int DEFAULT NULL,
  increment_id varchar(50) DEFAULT NULL,
  store_id smallint unsigned DEFAULT NULL,
  grand_total decimal(12,4) DEFAULT NULL,
  created_at timestamp NULL DEFAULT NULL,
  KEY (state),
  KEY (quote_id)
) ENGINE=InnoDB;
CREATE TABLE om_sales_flat_order_item (
  item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id int unsigned NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  updated_at timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  product_id int unsigned DEFAULT NULL,
  product_type varchar(255) DEFAULT NULL,
  sku varchar(255) DEFAULT NULL,
  name varchar(255) DEFAULT NULL,
  qty_ordered decimal(12,4) DEFAULT 0.0000,
  price decimal(12,4) NOT NULL DEFAULT 0.0000,
  KEY (order_id),
  KEY (product_id),
  FOREIGN KEY (order_id) REFERENCES om_sales_flat_order (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_customer_entity (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email varchar(255) DEFAULT NULL
) ENGINE=InnoDB;
CREATE TABLE om_wishlist (
  wishlist_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id int unsigned NOT NULL DEFAULT 0 UNIQUE
) ENGINE=InnoDB;
CREATE TABLE om_wishlist_item (
  wishlist_item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  wishlist_id int unsigned NOT NULL DEFAULT 0,
  product_id int unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned DEFAULT NULL,
  qty decimal(12,4) NOT NULL,
  FOREIGN KEY (wishlist_id) REFERENCES om_wishlist (wishlist_id) ON DELETE CASCADE,
  FOREIGN KEY (product_id) REFERENCES om_catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE om_report_event_types (
  event_type_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_name varchar(64) NOT NULL
) ENGINE=InnoDB;
CREATE TABLE om_report_event (
  event_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_type_id smallint unsigned NOT NULL DEFAULT 0,
  object_id int unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned NOT NULL,
  KEY (object_id)
) ENGINE=InnoDB;
CREATE TABLE om_salesrule (
  rule_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(255) DEFAULT NULL,
  is_active smallint NOT NULL DEFAULT 0,
  from_date date DEFAULT NULL,
  to_date date DEFAULT NULL,
  conditions_serialized mediumtext,
  actions_serialized mediumtext
) ENGINE=InnoDB;
CREATE TABLE om_salesrule_product_attribute (
  rule_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  customer_group_id smallint unsigned NOT NULL,
  attribute_id smallint unsigned NOT NULL,
  PRIMARY KEY (rule_id, website_id, customer_group_id, attribute_id)
) ENGINE=InnoDB;

INSERT INTO om_eav_entity_type VALUES (3,'catalog_category',3),(10,'catalog_product',9);
INSERT INTO om_eav_attribute_set VALUES (3,3,'Default'),(9,10,'Default');
INSERT INTO om_eav_attribute VALUES
  (41,3,'name','varchar','text'),
  (173,10,'name','varchar','text'),
  (174,10,'price','decimal','price'),
  (175,10,'special_price','decimal','price'),
  (176,10,'special_from_date','datetime','date'),
  (177,10,'special_to_date','datetime','date'),
  (178,10,'cost','decimal','price'),
  (179,10,'weight','decimal','weight'),
  (197,10,'status','int','select'),
  (199,10,'visibility','int','select'),
  (236,10,'tax_class_id','int','select'),
  (241,10,'material','varchar','text'),
  (221,10,'url_key','varchar','text');
INSERT INTO om_eav_entity_attribute (entity_type_id, attribute_set_id, attribute_id)
  SELECT 10, 9, attribute_id FROM om_eav_attribute WHERE entity_type_id = 10;
SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
INSERT INTO om_core_website VALUES (0,'admin','Admin',0,0,0),(1,'base','Main Website',0,1,1),(3,'second','Second',1,3,0);
INSERT INTO om_core_store_group VALUES (0,0,'Default',0,0),(1,1,'Main Website Store',2,1),(3,3,'Second',2,5);
INSERT INTO om_core_store VALUES (0,'admin',0,0,'Admin',0,1),(1,'default',1,1,'English',0,1),(2,'de',1,1,'Deutsch',1,1),(5,'second',3,3,'US',0,1);
INSERT INTO om_core_config_data (scope, scope_id, path, value) VALUES
  ('default',0,'currency/options/base','EUR'),
  ('default',0,'currency/options/default','EUR'),
  ('websites',3,'currency/options/base','USD'),
  ('websites',3,'currency/options/default','USD'),
  ('default',0,'catalog/price/scope','1'),
  ('default',0,'general/locale/code','en_GB'),
  ('stores',2,'general/locale/code','de_DE'),
  ('stores',5,'general/locale/code','en_US');
INSERT INTO om_tax_class VALUES (7,'Taxable Goods','PRODUCT'),(8,'Retail Customer','CUSTOMER'),(9,'Reduced','PRODUCT');
INSERT INTO om_customer_group VALUES (0,'NOT LOGGED IN',8),(1,'General',8),(2,'Wholesale',8),(3,'Retailer',8);
INSERT INTO om_catalog_category_entity VALUES (1,'1'),(2,'1/2');
INSERT INTO om_catalog_category_entity_varchar VALUES (1,41,0,1,'Root Catalog'),(2,41,0,2,'Default Category');
INSERT INTO om_cataloginventory_stock VALUES (1,'Default');
INSERT INTO om_report_event_types VALUES (1,'catalog_product_view'),(4,'checkout_cart_add_product');

SET FOREIGN_KEY_CHECKS=1;
